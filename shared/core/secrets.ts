/** Secrets by their ARN. A secret never stands in an environment variable, a row or a log. */
export interface Secrets {
  /** The secret's text, at most some minutes old. @throws Error when there is no such secret. */
  read(arn: string): Promise<string>;
  /** The secret's text as it stands now: what to do once when it was refused (it may have been rotated). */
  readFresh(arn: string): Promise<string>;
}
