/** Where the local host pretends to be: what pseudo parameters and ARNs of the template say. */
export const place = {
  region: 'us-east-1',
  account: '123456789012',
  partition: 'aws',
  url_suffix: 'amazonaws.com',
} as const;

/** An ARN of this place. `region` and `account` are empty for services whose ARNs have none. */
export function arn(service: string, resource: string, global = false): string {
  const where = global ? ':' : `${place.region}:${place.account}`;
  return `arn:${place.partition}:${service}:${where}:${resource}`;
}
