/** Executions of one state machine. */
export interface Executions {
  /**
   * Start an execution under a name that says what it is for. A second start of the name is a
   * success: Step Functions keeps names for 90 days.
   *
   * @param input Ids, as JSON.
   */
  start(name: string, input: object): Promise<void>;
  /** Whether the execution of a name is alive. */
  alive(name: string): Promise<boolean>;
}
