/** What the session machine is started with; ids travel, content stays in the table. */
export interface RunInput {
  readonly session_id: string;
  readonly thread_id: string;
  readonly run: number;
  /** Numbers of the events that wait: a hint, so that the step reads them with the thread's head. */
  readonly inbox?: readonly number[];
}

/** Executions of the session machine. */
export interface Runs {
  /**
   * Start the execution of a run. A second start of the same run is a success: its name is
   * session and run, and Step Functions keeps names for 90 days. When this call is lost, the
   * reconcile function finds the running session without an execution and starts it.
   *
   * @param restart Which further execution of a run that only has a report left. @default 0
   */
  start(input: RunInput, restart?: number): Promise<void>;
  /** Whether the execution of a run is alive. */
  alive(session_id: string, run: number, restart?: number): Promise<boolean>;
}
