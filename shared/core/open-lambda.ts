import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';

/** What of the client is used: imported as a whole it would not be cut down to this by the bundler. */
export function openLambda(config: LambdaClientConfig) {
  return { lambda: new LambdaClient(config), InvokeCommand };
}
