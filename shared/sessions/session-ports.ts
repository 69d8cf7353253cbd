import type { SendPorts } from '../events/send.ts';
import type { Cipher } from '../core/cipher.ts';
import type { PriceOverrides } from '../models/prices.ts';

/** What the commands on sessions act upon. */
export interface SessionPorts extends SendPorts {
  /** The deployment's own prices, over those of the catalogue. */
  readonly prices: PriceOverrides;
  /** Seals what a session keeps of its repositories' tokens. */
  readonly cipher: Cipher;
}
