import { AwsError } from '../../infra/local/aws-error.ts';
import type { Call, Hooks } from '../../infra/local/gateway.ts';
import type { Random } from '../hostile/random.ts';

/** What AWS says now and then of a call that it has not done. By service; the SDK repeats most of them. */
const refusals: Readonly<Record<string, (call: Call) => AwsError>> = {
  dynamodb: throttled,
  s3: () => new AwsError('SlowDown', 'Please reduce your request rate.', 503),
  states: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  lambda: () => new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429),
  kms: () => new AwsError('ThrottlingException', 'You have exceeded the rate.'),
  secretsmanager: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  scheduler: () => new AwsError('ThrottlingException', 'Rate exceeded', 429),
};

/** Of the calls that are failed, those that were done all the same: the reply was lost. */
const LOST_SHARE = 0.2;

/** Makes a share of the calls of functions to AWS fail, as AWS itself does. */
export class Faults {
  readonly #random: Random;
  readonly #share: number;
  readonly counts: Record<string, number> = {};
  /** A service that is away altogether, and until when of the process's own clock. */
  #outage = { service: '', until_ms: 0 };
  #calm = false;

  constructor(random: Random, share: number) {
    this.#random = random;
    this.#share = share;
  }

  readonly hooks: Hooks = {
    before: (call) => {
      if (this.#calm) return;
      const { service, until_ms } = this.#outage;
      const is_out = call.service === service && performance.now() < until_ms;
      if (is_out || this.#random.chance(this.#share * (1 - LOST_SHARE))) this.#refuse(call);
    },
    after: ({ service }) => {
      if (this.#calm || service === 'lambda' || service === 'secretsmanager') return;
      if (!this.#random.chance(this.#share * LOST_SHARE)) return;
      this.#count(`${service} reply lost`);
      throw new AwsError('InternalServerError', 'It was done, and this says it was not.', 500);
    },
  };

  /** For so long no call to the service is answered. */
  out(service: string, ms: number): void {
    this.#outage = { service, until_ms: performance.now() + ms };
  }

  /** No more faults: what is left must heal. */
  calm(): void {
    this.#calm = true;
  }

  #refuse(call: Call): void {
    const refusal = refusals[call.service]?.(call);
    if (refusal === undefined) return;
    this.#count(`${call.service} ${refusal.name}`);
    throw refusal;
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

/** A write may also meet a transaction of somebody else. */
function throttled({ action, n, body }: Call): AwsError {
  if (n % 2 === 0) return new AwsError('ThrottlingException', 'Rate exceeded');
  if (action === 'TransactWriteItems') {
    const { TransactItems: items = [] } = (body ?? {}) as { readonly TransactItems?: unknown[] };
    const codes = items.map((_, at) => (at === 0 ? 'TransactionConflict' : 'None'));
    return new AwsError(
      'TransactionCanceledException',
      `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`,
      400,
      { CancellationReasons: codes.map((Code) => ({ Code })) },
    );
  }
  const is_write = ['PutItem', 'UpdateItem', 'DeleteItem'].includes(action);
  return is_write
    ? new AwsError('TransactionConflictException', 'Transaction is ongoing for the item')
    : new AwsError('ProvisionedThroughputExceededException', 'The level was exceeded.');
}
