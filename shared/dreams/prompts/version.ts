/** Changes with every change of what a dream's model is told: dreams of two versions are not the same measure. */
export const dream_prompt_version = '2026-11-29.1';
