/**
 * Processes of a Python program, which are commands of the session's shell: each runs to its end when it is
 * begun, or when its standard input is complete.
 */
export const PROCESSES = `
def _processes(ask):
    import io, json
    def run(args, shell, cwd, env, data, timeout):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        words = [args] if isinstance(args, (str, bytes, os.PathLike)) else list(args)
        words = [os.fsdecode(word) for word in words]
        if shell:
            command, words = words[0], words[1:]
        else:
            command = None
        told = {'command': command, 'args': words, 'cwd': os.path.abspath(os.fsdecode(cwd or '.')), 'timeout_ms': None if timeout is None else int(timeout * 1000)}
        told['env'] = {os.fsdecode(k): os.fsdecode(v) for k, v in (os.environ if env is None else env).items()}
        said = ask('run', data or b'', **told)
        head, _, rest = said.partition(b'\\n')
        head = json.loads(head)
        return head['code'], rest[:head['out_bytes']], rest[head['out_bytes']:], head['timed_out']
    def system(command):
        code, out, err, _ = run(command, True, None, None, b'', None)
        sys.stdout.buffer.write(out)
        sys.stdout.flush()
        sys.stderr.write(err.decode('utf-8', 'replace'))
        return code << 8
    os.system = system
    def patch(subprocess):
        PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL
        class Stdin(io.BytesIO):
            def __init__(self, ended):
                super().__init__()
                self._ended = ended
            def close(self):
                if not self.closed:
                    self._ended(self.getvalue())
                super().close()
        class Popen:
            def __init__(self, args, bufsize=-1, executable=None, stdin=None, stdout=None, stderr=None, preexec_fn=None, close_fds=True, shell=False, cwd=None, env=None, universal_newlines=None, startupinfo=None, creationflags=0, restore_signals=True, start_new_session=False, pass_fds=(), *, text=None, encoding=None, errors=None, **rest):
                self.args, self.returncode, self.pid = args, None, 2
                self.stdin = self.stdout = self.stderr = None
                self._shell, self._cwd, self._env, self._to = shell, cwd, env, (stdout, stderr)
                self._text = bool(text or universal_newlines or encoding or errors)
                self._how = (encoding or 'utf-8', errors or 'strict')
                self._timeout = None
                if cwd is not None and not os.path.isdir(cwd):
                    raise FileNotFoundError(44, 'No such file or directory', cwd)
                if stdin == PIPE:
                    self.stdin = Stdin(self._begin)
                    if self._text:
                        self.stdin = io.TextIOWrapper(self.stdin, *self._how, write_through=True)
                elif stdin in (None, DEVNULL):
                    self._begin(b'')
                elif isinstance(stdin, int):
                    raise OSError(58, 'a descriptor cannot be the input of a process here: give input= or an open file')
                else:
                    data = stdin.read()
                    self._begin(data.encode() if isinstance(data, str) else data)
            def _begin(self, data):
                if self.returncode is not None:
                    return
                code, out, err, late = run(self.args, self._shell, self._cwd, self._env, data, self._timeout)
                if late:
                    self.returncode = -9
                    raise subprocess.TimeoutExpired(self.args, self._timeout, output=out, stderr=err)
                if code == 127 and not self._shell and b'command not found' in err:
                    name = self.args if isinstance(self.args, (str, bytes, os.PathLike)) else self.args[0]
                    raise FileNotFoundError(44, 'No such file or directory', name)
                self.returncode = code
                stdout, stderr = self._to
                if stderr == STDOUT:
                    out, err = out + err, b''
                self.stdout = self._give(out, stdout, sys.stdout)
                self.stderr = self._give(err, stderr, sys.stderr)
            def _give(self, data, to, own):
                if to == PIPE:
                    stream = io.BytesIO(data)
                    return io.TextIOWrapper(stream, *self._how) if self._text else stream
                if to is None:
                    own.buffer.write(data)
                    own.flush()
                elif to in (1, 2):
                    os.write(to, data)
                elif not isinstance(to, int):
                    to.flush()
                    getattr(to, 'buffer', to).write(data)
                    to.flush()
            def communicate(self, input=None, timeout=None):
                if self.stdin is not None and not self.stdin.closed:
                    self._timeout = timeout
                    if input:
                        self.stdin.write(input)
                    self.stdin.close()
                take = lambda stream: None if stream is None or stream.closed else stream.read()
                return take(self.stdout), take(self.stderr)
            def wait(self, timeout=None):
                if self.stdin is not None and not self.stdin.closed:
                    self.stdin.close()
                return self.returncode
            def poll(self): return self.returncode
            def send_signal(self, sig): pass
            def terminate(self): pass
            def kill(self): pass
            def __enter__(self): return self
            def __exit__(self, *_):
                self.wait()
            def __class_getitem__(cls, item): return cls
        plain_run = subprocess.run
        def run_whole(*args, input=None, timeout=None, **named):
            # A process that is begun has ended: its time must be known before.
            if input is None and timeout is not None and named.get('stdin') in (None, DEVNULL):
                named.pop('stdin', None)
                input = '' if named.get('text') or named.get('universal_newlines') or named.get('encoding') else b''
            return plain_run(*args, input=input, timeout=timeout, **named)
        subprocess.Popen, subprocess.run = Popen, run_whole
        def call(*args, timeout=None, **named):
            return run_whole(*args, timeout=timeout, **named).returncode
        subprocess.call = call
        def check_call(*args, **named):
            code = call(*args, **named)
            if code:
                raise subprocess.CalledProcessError(code, named.get('args') or args[0])
            return 0
        subprocess.check_call = check_call
    return patch
`;
