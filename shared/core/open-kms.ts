import {
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  type KMSClientConfig,
} from '@aws-sdk/client-kms';

/** What of the client is used: imported as a whole it would not be cut down to this by the bundler. */
export function openKms(config: KMSClientConfig) {
  return { kms: new KMSClient(config), DecryptCommand, EncryptCommand };
}
