/**
 * Python that waits, on an interpreter with one thread and no sockets. `asyncio` wakes its loop over a pair
 * of sockets, which only another thread would need; and its loop looks at no file here, so that it sleeps
 * until the next timer. A pool of threads does each task when it is given, one after the other. Threads
 * themselves are left to fail: what waits for one that has not begun would wait for ever.
 */
export const WAITS = `
def _waits():
    def loop(module):
        import time
        class Timers(module.selectors.SelectSelector):
            def select(self, timeout=None):
                if timeout is None:
                    raise RuntimeError('nothing is left that could end this wait')
                if timeout > 0:
                    time.sleep(timeout)
                return []
        of = module.BaseSelectorEventLoop
        def begin(self):
            self._ssock = self._csock = None
            self._internal_fds += 1
        of._make_self_pipe = begin
        of._close_self_pipe = of._write_to_self = lambda self: None
        module.selectors.DefaultSelector = Timers
        async def end(self, timeout=None):
            self._executor_shutdown_called = True
            if self._default_executor is not None:
                self._default_executor.shutdown(wait=False)
        of.shutdown_default_executor = end

    def pool(module):
        of = module.ThreadPoolExecutor
        def submit(self, fn, /, *args, **options):
            if self._shutdown:
                raise RuntimeError('cannot schedule new futures after shutdown')
            future = module._base.Future()
            future.set_running_or_notify_cancel()
            try:
                prepare, self._prepare = self._prepare, None
                if prepare:
                    prepare()
                future.set_result(fn(*args, **options))
            except BaseException as error:
                future.set_exception(error)
            return future
        plain = of.__init__
        def begin(self, max_workers=None, thread_name_prefix='', initializer=None, initargs=(), **options):
            plain(self, max_workers, thread_name_prefix, **options)
            self._prepare = initializer and (lambda: initializer(*initargs))
        of.submit, of.__init__ = submit, begin

    return {'asyncio.selector_events': loop, 'concurrent.futures.thread': pool}
`;
