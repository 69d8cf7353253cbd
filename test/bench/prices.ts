/**
 * US dollars in us-east-1, on demand, without free tiers. Source: the public price pages of each
 * service (aws.amazon.com/<service>/pricing). They hold for one region and one day: change them here.
 */
export const prices = {
  /** Step Functions, Standard: $25.00 for a million. */
  state_transition: 25 / 1e6,
  /** Lambda: $0.20 for a million. */
  lambda_request: 0.2 / 1e6,
  /** Lambda on arm64, first tier. */
  lambda_gigabyte_second: 0.000_013_333_4,
  /** DynamoDB on demand: $0.125 for a million read units of 4 kB. */
  dynamodb_read_unit: 0.125 / 1e6,
  /** DynamoDB on demand: $0.625 for a million write units of 1 kB. */
  dynamodb_write_unit: 0.625 / 1e6,
  /** S3 Standard: PUT, COPY, POST, LIST: $0.005 for a thousand. */
  s3_write_request: 0.005 / 1e3,
  /** S3 Standard: GET and all others: $0.0004 for a thousand. DELETE is free. */
  s3_read_request: 0.0004 / 1e3,
  /** API Gateway REST, first tier: $3.50 for a million. */
  api_request: 3.5 / 1e6,
  /** Secrets Manager: $0.05 for ten thousand. */
  secret_request: 0.05 / 1e4,
} as const;

export type Price = keyof typeof prices;

/**
 * What the bill has beside these, and the bench cannot count. Lambda charges the start of an environment
 * like its work, and each one that is a tenant's own once more, by its memory.
 */
export const notCounted =
  'tokens, cold starts and what Lambda charges for each sandbox that it makes, KMS requests, log and trace volume, storage, data transfer';
