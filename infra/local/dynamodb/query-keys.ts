import { AwsError } from '../aws-error.ts';
import { record } from '../template/template.ts';

/** Source: DynamoDB quotas: bytes of a partition key and of a sort key. */
const hash_bytes_max = 2_048;
const range_bytes_max = 1_024;

const invalid = 'One or more parameter values were invalid:';

/**
 * What the engine takes and DynamoDB does not: a query that compares keys with more than a key can be.
 * @throws AwsError `ValidationException`
 */
export function checkQueryKeys(body: Readonly<Record<string, unknown>>): void {
  const values = record(body['ExpressionAttributeValues']);
  const condition = String(body['KeyConditionExpression']);
  for (const [, equals, name = ''] of condition.matchAll(/(=\s*)?(:\w+)/g)) {
    const value = record(values[name])['S'];
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
    if (equals !== undefined && bytes > hash_bytes_max) {
      throw new AwsError(
        'ValidationException',
        `${invalid} Size of hashkey has exceeded the maximum size limit of${hash_bytes_max} bytes`,
      );
    }
    if (equals === undefined && bytes > range_bytes_max) {
      throw new AwsError(
        'ValidationException',
        `${invalid} Aggregated size of all range keys has exceeded the size limit of ${range_bytes_max} bytes`,
      );
    }
  }
}
