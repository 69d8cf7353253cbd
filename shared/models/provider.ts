import * as z from 'zod';
import { providers, type Provider } from './model.ts';

/** The environment's MODEL_PROVIDER. @throws at load */
export function parseProvider(text: string): Provider {
  return z.enum(providers).parse(text);
}
