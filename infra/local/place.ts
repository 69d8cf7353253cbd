/** Where the local host pretends to be: what pseudo parameters and ARNs of the template say. */
export const place = {
  region: 'us-east-1',
  account: '123456789012',
  partition: 'aws',
  url_suffix: 'amazonaws.com',
} as const;

/** An ARN of this place. IAM is global: its ARNs name no region. */
export function arn(service: string, resource: string): string {
  const region = service === 'iam' ? '' : place.region;
  return `arn:${place.partition}:${service}:${region}:${place.account}:${resource}`;
}
