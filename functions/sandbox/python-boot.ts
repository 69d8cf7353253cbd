import { FILES } from './python-files.ts';
import { LINKS } from './python-links.ts';
import { PROCESSES } from './python-processes.ts';
import { WAITS } from './python-waits.ts';

/**
 * What the interpreter runs in place of a program. It would indent a program by four spaces and put
 * it behind 400 lines of its own: every text of several lines in it would be another one, and errors
 * would name wrong lines. Here the program stays apart, as CPython has it: its own `__main__`, its
 * own folder on the path, its own lines in a traceback. And the session's folders are links, so that
 * each function finds them, and not just those that the interpreter has replaced.
 *
 * Its arguments: how the program comes (`-c`, `-m`, `-` or `file`), the program, and what it gets.
 * `_orig_…` is what the interpreter replaced.
 */
export const BOOT = `
${FILES}
${LINKS}
${PROCESSES}
${WAITS}
def _boot():
    import builtins, glob, importlib.util, io, linecache, pathlib, runpy, shutil, types
    own = globals()
    here = sys._getframe().f_code.co_filename
    def undo(of, prefix, names):
        for name in names.split():
            setattr(of, name, own['_orig_' + prefix + name])
    undo(os, '', 'listdir stat mkdir makedirs remove rmdir walk scandir chdir')
    undo(os.path, '', 'exists isfile isdir')
    undo(glob, '', 'glob iglob')
    undo(io, '', 'open open_code')
    plain_open = io.open
    undo(shutil, 'shutil_', 'copy copy2 copyfile copytree move rmtree')
    for name in [name for name in vars(pathlib.Path) if name.startswith('_orig_')]:
        setattr(pathlib.Path, name[6:], getattr(pathlib.Path, name))
    for name in ('home', 'mnt', 'tmp', 'workspace'):
        if os.path.exists('/' + name):
            os.rename('/' + name, '/.' + name)
        os.symlink('/host/' + name, '/' + name)
    real = os.path.realpath
    def realpath(path, **options):
        found = real(path, **options)
        return found[5:] if isinstance(found, str) and found.startswith('/host/') else found
    os.path.realpath = realpath
    built = types.ModuleType('_sysconfigdata__emscripten_wasm32-emscripten')
    built.build_time_vars = {'TZPATH': '/host/usr/share/zoneinfo'}
    sys.modules[built.__name__] = built
    sys.dont_write_bytecode = True
    builtins.open, ask, on_host = _files(plain_open)
    io.open = builtins.open
    ask = _links(ask, on_host)
    patches = {'subprocess': _processes(ask), **_waits()}
    class Late:
        # Modules that are changed when a program imports them, if it does.
        def find_spec(self, name, path=None, target=None):
            patch = patches.pop(name, None)
            if patch is None:
                return None
            spec = importlib.util.find_spec(name)
            plain = spec.loader
            class Loader:
                create_module = plain.create_module
                def exec_module(self, module):
                    plain.exec_module(module)
                    patch(module)
                def get_code(self, name): return plain.get_code(name)
            spec.loader = Loader()
            return spec
    sys.meta_path.insert(0, Late())
    sys.executable = '/usr/bin/python3'
    notes = {
        'sqlite3': 'This Python has no sqlite3: run the sqlite3 command, with subprocess or in the shell.',
        'ctypes': 'This Python loads no libraries.',
    }
    # The engine's own ends the program without a word.
    import _socket
    def socketpair(*_):
        raise OSError('this Python has no sockets')
    _socket.socketpair = socketpair
    _, how, what, *rest = sys.argv
    main = types.ModuleType('__main__')
    try:
        sys.path[0] = ''
        if how == '-m':
            sys.argv = ['-m', *rest]
            sys.path[0] = os.getcwd()
            runpy.run_module(what, run_name='__main__', alter_sys=True)
            return
        if how == 'file':
            path = os.path.abspath(what)
            with open(path, 'rb') as file:
                source = file.read()
            name, sys.argv, sys.path[0] = path, [what, *rest], os.path.dirname(path)
            main.__file__ = path
        else:
            source = sys.stdin.read() if how == '-' else what
            name, sys.argv = '<stdin>' if how == '-' else '<string>', [how, *rest]
            linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        main.__builtins__ = builtins
        sys.modules['__main__'] = main
        exec(compile(source, name, 'exec', dont_inherit=True), main.__dict__)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            raise
        print(end.code, file=sys.stderr)
        raise SystemExit(1) from None
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError):
            name = (error.name or '').lstrip('_')
            error.add_note(notes.get(name, 'Python has its standard library here, and nothing can be installed.'))
        if str(error) == "can't start new thread":
            error.add_note('This Python has one thread: call the function, or use ThreadPoolExecutor, which does its tasks in turn.')
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename in (here, '<frozen runpy>'):
            trace = trace.tb_next
        frame = trace
        while frame:
            while frame.tb_next and frame.tb_next.tb_frame.f_code.co_filename == here:
                frame.tb_next = frame.tb_next.tb_next
            frame = frame.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        raise SystemExit(1) from None
_boot()
`;
