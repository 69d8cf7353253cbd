import { folded } from '../tools/convert.ts';
import { foreign_orders, foreign_tells } from './foreign-instructions.ts';

const RULES = String.raw`(?:instructions?|rules?|guidelines?|polic(?:y|ies)|safeguards?|guardrails?|restrictions?|system prompts?|safety)`;
const DATA = String.raw`(?:secrets?|credentials?|tokens?|passwords?|keys?|env(?:ironment)?(?: variables?)?|conversations?|transcripts?|memor(?:y|ies)|files?|data|system prompt)`;

/** What no lesson about work says: words that would steer the agent instead of teaching it. */
const orders: readonly RegExp[] = [
  new RegExp(
    String.raw`\b(?:ignore|disregard|forget|override|bypass|circumvent|disable)\b[^.\n]{0,60}\b${RULES}\b`,
    'i',
  ),
  new RegExp(
    String.raw`\b(?:send|post|upload|forward|exfiltrate|leak|e-?mail|transmit|report|submit|copy|share)s?\b[^.\n]{0,80}\b${DATA}\b[^.\n]{0,60}\b(?:to|at|via)\b[^.\n]{0,40}(?:https?:|www\.|[\w.-]+@[\w-]+\.|\d{1,3}(?:\.\d{1,3}){3}|[\w-]+\.(?:com|net|org|io|ru|xyz|top|dev)\b)`,
    'i',
  ),
  /\b(?:change|edit|replace|modify|reveal|print|repeat|show|output|rewrite)\b[^.\n]{0,40}\b(?:your|the|its) (?:own )?(?:system prompt|instructions|guidelines)\b/i,
  /\b(?:you are|act as|pretend to be|behave as)\b[^.\n]{0,30}\b(?:now|dan|jailbroken|unrestricted|developer mode|root|administrator)\b/i,
  /\b(?:without|never|don't|do not|no need to)\b[^.\n]{0,30}\b(?:ask(?:ing)?|wait(?:ing)? for|seek(?:ing)?|need(?:ing)?|require|tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|mention(?:ing)?)\b[^.\n]{0,30}\b(?:permission|confirmation|approval|consent|users?|operators?|humans?|anyone)\b/i,
  /\b(?:hide|conceal|keep)\b[^.\n]{0,60}\b(?:from (?:the )?(?:users?|operators?|humans?|owners?)|secret from)\b/i,
  /\b(?:curl|wget)\b[^\n|]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b/i,
  /\brm\s+-rf?\s+(?:\/|~|\$HOME)(?:\s|$)/i,
  /<\/?(?:system|transcript|event|memories|lessons|admin|instructions?)[\s>-]|\[\/?(?:INST|SYSTEM)\]|^\s*(?:system|assistant)\s*:/im,
  /\b(?:attention|note|message|important|urgent)\b[^.\n]{0,20}\b(?:to|for)\b[^.\n]{0,12}\b(?:ai|assistants?|agents?|llms?|language models?|claude|chatbots?)\b/i,
  /\b(?:reverie:index|reverie:sources)\b/i,
  ...foreign_orders,
];

/** Whether a text would give the agent orders that do not belong to its work. */
export function ordersAgent(text: string): boolean {
  const whole = folded(text);
  return orders.some((order) => order.test(text) || order.test(whole));
}

const TELLS: readonly RegExp[] = [
  ...orders,
  /\b(?:remember|memori[sz]e|save|store|record|add|write)\b[^.\n]{0,60}\b(?:memory|memories|notes?|playbooks?|lessons?|for (?:later|future|next time)|always|that (?:you|agents?))\b/i,
  ...foreign_tells,
  /\b(?:from now on|in (?:all )?future (?:sessions?|conversations?|tasks?)|every (?:session|time you)|henceforth)\b/i,
  /\b(?:ai|assistants?|agents?|llms?|models?|claude|you)\b[^.\n]{0,20}\b(?:must|should|shall|have to|need to|are (?:required|instructed|ordered) to)\b[^.\n]{0,60}\b(?:always|never|remember|send|use|visit|contact|trust|run|install|call|email|learn)\b/i,
];

/** Whether a tool's output or a page tells whoever reads it what to do or to remember. */
export function tellsReader(text: string): boolean {
  const whole = folded(text);
  return TELLS.some((tell) => tell.test(text) || tell.test(whole));
}

const ADDRESS =
  /https?:\/\/[^\s)>\]"']+|[\w.+-]+@[\w-]+\.[\w.-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[a-z0-9][\w-]*\.)+(?:com|net|org|io|dev|app|xyz|top|ru|cn|info|biz|site|online|cloud|shop|example)\b|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}[A-Z0-9]{0,3}\b/g;

/** Addresses that a text names: of the web, of mail, of machines, of bank accounts. */
export function addressesIn(text: string): string[] {
  return (text.match(ADDRESS) ?? []).map((address) => address.replace(/[.,;:]+$/, ''));
}
