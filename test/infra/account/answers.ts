/** What goes back over the wire. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const xml = (body: string, status = 200): Answer => ({ status, type: 'text/xml', body });

/** An answer of the query protocol, which STS and CloudFormation speak. */
export function result(action: string, body = ''): Answer {
  return xml(
    `<${action}Response><${action}Result>${body}</${action}Result>` +
      `<ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></${action}Response>`,
  );
}

/** An element with text, or with elements that were made before. */
export function element(name: string, content: unknown): string {
  const text = Array.isArray(content) ? content.join('') : escaped(String(content));
  return `<${name}>${text}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What a service refuses, by its code and its sentence. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(code: string, message: string) {
    super(message);
    const error = element('Error', [
      element('Type', 'Sender'),
      element('Code', code),
      element('Message', message),
    ]);
    this.answer = xml(element('ErrorResponse', [error]), 400);
  }
}
