/**
 * Links as a Python program sees them. The engine takes each for what it leads to: `shutil.rmtree` of a folder
 * with a link in it removed what that led to, one that leads nowhere could not be removed, and a folder that
 * held such a one was empty.
 */
export const LINKS = `
def _links(ask, on_host):
    import errno, glob, json, shutil, stat as kinds
    plain = {name: getattr(os, name) for name in 'stat lstat readlink listdir scandir remove unlink rmdir symlink rename replace'.split()}
    # The links in a folder, by its path: a question for each file would take longer than the rest.
    known = {}
    def links_in(folder):
        if folder not in known:
            try:
                known[folder] = {name for name, kind in json.loads(ask('list', path=folder)) if kind == 'link'}
            except OSError:
                return set()
        return known[folder]
    def place_of(host):
        folder, _, name = host.rpartition('/')
        return folder, name
    def link_at(path):
        host = on_host(path)
        if host is None:
            return None
        folder, name = place_of(host)
        said = ask('link', path=host) if name in links_in(folder) else b''
        return json.loads(said) if said else None
    def relinked(host, change):
        # Another folder may be this one, by a link.
        folder, name = place_of(host)
        kept = known.get(folder)
        known.clear()
        if kept is not None:
            change(kept, name)
            known[folder] = kept
    def symlink(src, dst, target_is_directory=False, *, dir_fd=None):
        plain['symlink'](src, dst, target_is_directory, dir_fd=dir_fd)
        host = on_host(dst)
        if host is not None:
            relinked(host, set.add)
    def renaming(name):
        def rename(src, dst, **named):
            known.clear()
            plain[name](src, dst, **named)
        return rename
    def forgetting(op, *rest, **what):
        known.clear()
        return ask(op, *rest, **what)
    def lstat(path, *, dir_fd=None):
        link = link_at(path)
        if link is None:
            return plain['lstat'](path, dir_fd=dir_fd)
        at = link['at']
        return os.stat_result((kinds.S_IFLNK | 0o777, link['id'], 0, 1, 0, 0, len(os.fsencode(link['target'])), at, at, at))
    def stat(path, *, dir_fd=None, follow_symlinks=True):
        return plain['stat'](path, dir_fd=dir_fd) if follow_symlinks else lstat(path, dir_fd=dir_fd)
    def readlink(path, *, dir_fd=None):
        if on_host(path) is None:
            return plain['readlink'](path, dir_fd=dir_fd)
        link = link_at(path)
        if link is None:
            raise OSError(errno.EINVAL if os.path.exists(path) else errno.ENOENT, 'Not a link', path)
        return os.fsencode(link['target']) if isinstance(path, bytes) else link['target']
    def removing(name):
        def remove(path, *, dir_fd=None):
            if link_at(path) is None:
                return plain[name](path, dir_fd=dir_fd)
            host = on_host(path)
            ask('unlink', path=host)
            relinked(host, set.discard)
        return remove
    def rmdir(path, *, dir_fd=None):
        if link_at(path) is not None:
            raise NotADirectoryError(errno.ENOTDIR, 'Not a directory', path)
        return plain['rmdir'](path, dir_fd=dir_fd)
    class Entry:
        # What a folder holds, in place of the engine's.
        def __init__(self, path, name, kind): self.name, self.path, self._kind = name, path, kind
        def __fspath__(self): return self.path
        def __repr__(self): return f'<DirEntry {self.name!r}>'
        def inode(self): return self.stat(follow_symlinks=False).st_ino
        def is_symlink(self): return self._kind == 'link'
        def is_junction(self): return False
        def _is(self, kind, test, follows): return follows and test(self.path) if self._kind == 'link' else self._kind == kind
        def is_dir(self, *, follow_symlinks=True): return self._is('folder', os.path.isdir, follow_symlinks)
        def is_file(self, *, follow_symlinks=True): return self._is('file', os.path.isfile, follow_symlinks)
        def stat(self, *, follow_symlinks=True): return os.stat(self.path, follow_symlinks=follow_symlinks)
    class Scan:
        def __init__(self, entries): self._entries = iter(entries)
        def __iter__(self): return self
        def __next__(self): return next(self._entries)
        def __enter__(self): return self
        def __exit__(self, *_): self.close()
        def close(self): self._entries = iter(())
    def listed(path):
        # The engine finds nothing in a folder with a link that leads nowhere.
        host = None if isinstance(path, int) else on_host(os.path.join(os.fsdecode(path), '_'))
        if host is None:
            return None
        name_of = os.fsencode if isinstance(path, bytes) else str
        return [(name_of(name), kind) for name, kind in json.loads(ask('list', path=host[:-2]))]
    def listdir(path='.'):
        path = '.' if path is None else path
        found = listed(path)
        return plain['listdir'](path) if found is None else [name for name, _ in found]
    def scandir(path='.'):
        path = os.fspath('.' if path is None else path) if not isinstance(path, int) else path
        found = listed(path)
        if found is None:
            return plain['scandir'](path)
        return Scan(Entry(os.path.join(path, name), name, kind) for name, kind in found)
    os.path.islink = lambda path: link_at(path) is not None or kinds.S_ISLNK(_mode_of(path))
    def _mode_of(path):
        try:
            return plain['lstat'](path).st_mode if on_host(path) is None else 0
        except (OSError, ValueError):
            return 0
    os.lstat, os.stat, os.readlink, os.rmdir = lstat, stat, readlink, rmdir
    os.listdir, os.scandir = listdir, scandir
    glob._StringGlobber.scandir = staticmethod(scandir)
    os.remove, os.unlink = removing('remove'), removing('unlink')
    os.symlink, os.rename, os.replace = symlink, renaming('rename'), renaming('replace')
    os.supports_follow_symlinks.add(stat)
    # By descriptors of folders it would ask the engine.
    shutil._use_fd_functions = False
    # For what runs other programs: they may make links too.
    return forgetting
`;
