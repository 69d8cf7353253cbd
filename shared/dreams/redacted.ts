/** What stands for words that a dream had and keeps no longer. */
export const REDACTED = '[redacted]';
