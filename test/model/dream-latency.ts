/** What a request of a dream takes where the scripted model runs on its own: 1 s, as the bench of dreams asks. */
export const DREAM_LATENCY_MS = 1_000;
