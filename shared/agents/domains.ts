import { isIP } from 'node:net';
import * as z from 'zod';
import { limits } from '../core/limits.ts';

/** One part of a host's name: letters, digits, underscores and inner hyphens. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Top-level names that never leave a private network. */
const PRIVATE = new Set(['localhost', 'internal', 'local', 'localdomain', 'invalid']);

/** A name that URLs read as a part of an IPv4 address, like the 1 of 127.1. */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/i;

/** What registries of countries sell names below, like gov.uk: a list with it would be of strangers. */
const REGISTRY = /^(ac|co|com|edu|gov|net|org)\.[a-z]{2}$/i;

/** Whether `text` is a plain, public host name with at least two labels. */
function isPublicHost(text: string): boolean {
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  return (
    text.length <= limits.domain_chars_max &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    isIP(text) === 0 &&
    !NUMBER.test(last) &&
    !REGISTRY.test(text) &&
    !PRIVATE.has(last.toLowerCase())
  );
}

/** `docs.example.com/guide`: a host, then a path of visible ASCII. */
function isHostWithPath(text: string): boolean {
  const slash = text.indexOf('/');
  const host = slash === -1 ? text : text.slice(0, slash);
  return isPublicHost(host) && /^[\x21-\x7e]+$/.test(text) && !/[?#$,|^!]/.test(text);
}

function listOf(isDomain: (text: string) => boolean, form: string) {
  const domain = z
    .string()
    .min(1)
    .max(limits.domain_chars_max)
    .transform((text) => text.replace(/\/$/, ''))
    .refine(isDomain, `must be ${form}, without scheme, port, wildcard or IP address.`);
  return z
    .array(domain)
    .max(limits.tool_domains_max)
    .refine(
      (domains) => domains.length > 0,
      'must not be empty. Name at least one domain, or send null for no list.',
    )
    .refine(
      (domains) => new Set(domains.map((text) => text.toLowerCase())).size === domains.length,
      'has a domain twice. Send each once.',
    )
    .nullish()
    .transform((domains) => domains ?? undefined);
}

/** Domains of web_fetch. */
export const HostList = listOf(isPublicHost, 'a public host name like docs.example.com');

/** Domains of web_search, which may have a path. */
export const HostPathList = listOf(
  isHostWithPath,
  'a public host name like docs.example.com, with a path or without',
);

/** The rule that both tools share. */
export function hasOneDomainList(config: {
  allowed_domains?: unknown;
  blocked_domains?: unknown;
}): boolean {
  return config.allowed_domains === undefined || config.blocked_domains === undefined;
}

export const one_domain_list =
  'Only one of allowed_domains or blocked_domains may be set. Remove one of them.';
