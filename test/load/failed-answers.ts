export interface FailedAnswers {
  /** What a client asks with. */
  readonly fetch: typeof fetch;
  /** Answers of 5xx so far: the SDK repeats what got one, and tells nobody. */
  count(): number;
}

export function failedAnswers(): FailedAnswers {
  let count = 0;
  return {
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (answer.status >= 500) count += 1;
      return answer;
    },
    count: () => count,
  };
}
