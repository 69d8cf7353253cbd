/** Whose account the double is, and in which region. */
export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
