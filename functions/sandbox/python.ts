import { latin1FromBytes, type CommandContext, type ExecResult } from 'just-bash';

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
const BOOT = `
def _boot():
    import builtins, glob, importlib, io, linecache, pathlib, runpy, shutil, types
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
    def wide_open(file, mode='r', buffering=-1, *rest, **named):
        # Each write to the session's files copies the whole of one.
        if buffering == -1 and 'r' not in mode:
            buffering = 1048576
        return plain_open(file, mode, buffering, *rest, **named)
    builtins.open = io.open = wide_open
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
    built.build_time_vars = {}
    sys.modules[built.__name__] = built
    sys.dont_write_bytecode = True
    too_large = 'Python opens files up to 8388608 bytes here: take larger ones apart first (split, awk, sqlite3).'
    def is_large(error):
        if not isinstance(error, OSError):
            return False
        lost = error.errno == 44 and isinstance(error.filename, str) and os.path.isfile(error.filename)
        return lost or error.errno == 29
    plain_hook = sys.unraisablehook
    failed = []
    def hook(told):
        plain_hook(told)
        if is_large(told.exc_value):
            failed.append(told)
            print(too_large, file=sys.stderr)
    sys.unraisablehook = hook
    # The engine's own ends the program without a word.
    import _socket
    def socketpair(*_):
        raise OSError('this Python has no sockets, so asyncio cannot run here')
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
        if failed:
            raise SystemExit(1)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            raise
        print(end.code, file=sys.stderr)
        raise SystemExit(1) from None
    except BaseException as error:
        if is_large(error):
            error.add_note(too_large)
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

/** Options that change nothing here, and those of them that have a value. */
const PLAIN = /^-[uBsSEIqObdP]+$/;
const VALUED = /^-[WX]/;

/** `python3` and `python`. */
export const pythons = ['python3', 'python'].map((name) => ({ name, execute: runPython }));

async function runPython(args: string[], ctx: CommandContext): Promise<ExecResult> {
  const { origCommand } = ctx;
  if (origCommand === undefined) throw new Error('python3 is not built in');
  const given = withoutPlain(args);
  const [how, what, ...rest] = given;
  if ((how === '-c' || how === '-m') && what !== undefined) {
    return await origCommand(['-c', BOOT, how, what, ...rest]);
  }
  if (how === '-' || (how === undefined && latin1FromBytes(ctx.stdin) !== '')) {
    return await origCommand(['-c', BOOT, '-', '', ...given.slice(1)]);
  }
  if (how === undefined || how.startsWith('-')) return await origCommand(given);
  // It says best what it cannot open.
  if (!(await ctx.fs.exists(ctx.fs.resolvePath(ctx.cwd, how)))) return await origCommand(given);
  return await origCommand(['-c', BOOT, 'file', how, ...given.slice(1)]);
}

function withoutPlain(args: readonly string[]): string[] {
  const rest = [...args];
  for (let one = rest[0]; one !== undefined; one = rest[0]) {
    if (PLAIN.test(one)) rest.shift();
    else if (VALUED.test(one)) rest.splice(0, one.length === 2 ? 2 : 1);
    else break;
  }
  return rest;
}
