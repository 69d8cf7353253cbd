/** What an AWS service would answer instead of a result. Thrown by the host's services and by hooks. */
export class AwsError extends Error {
  override readonly name: string;
  readonly status: number;
  /** Further fields of the error's body, for instance `Item` or `CancellationReasons`. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(name: string, message: string, status = 400, fields = {}) {
    super(message);
    this.name = name;
    this.status = status;
    this.fields = fields;
  }
}

/** Thrown by a hook: the calling function's worker dies at this point, and the call goes unanswered. */
export class Crash extends Error {
  override readonly name = 'Crash';
}
