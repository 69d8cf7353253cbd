import { AwsError } from '../../infra/local/aws-error.ts';
import type { Call, Hooks } from '../../infra/local/gateway.ts';

interface Meddling {
  readonly isMeant: (made: Call) => boolean;
  readonly run: () => Promise<void> | void;
  readonly is_lasting?: boolean;
}

function lose(): never {
  throw new AwsError('ValidationException', 'This call is lost.');
}

/** Steps in before a call that a function makes to AWS. */
export class Meddler {
  #next: Meddling[] = [];

  readonly hooks: Hooks = {
    before: async (made) => {
      const meddling = this.#next.find(({ isMeant }) => isMeant(made));
      if (meddling === undefined) return;
      if (meddling.is_lasting !== true) {
        this.#next = this.#next.filter((other) => other !== meddling);
      }
      await meddling.run();
    },
  };

  /** @param about What must stand in the call's resource or body. */
  before(function_name: string, action: string, run: Meddling['run'], about = ''): void {
    const isMeant = (made: Call): boolean =>
      made.function_name === function_name &&
      made.action === action &&
      `${made.resource} ${JSON.stringify(made.body)}`.includes(about);
    this.#next.push({ isMeant, run });
  }

  /** The next such call fails in a way that nobody repeats. */
  fail(function_name: string, action: string): void {
    this.before(function_name, action, lose);
  }

  /** All such calls fail, until the answer is called. */
  failAll(function_name: string, action: string): () => void {
    const isMeant = (made: Call): boolean =>
      made.function_name === function_name && made.action === action;
    const lasting = { isMeant, run: lose, is_lasting: true };
    this.#next.push(lasting);
    return () => {
      this.#next = this.#next.filter((other) => other !== lasting);
    };
  }

  /** What was prepared and did not come. */
  get waiting(): number {
    return this.#next.length;
  }
}
