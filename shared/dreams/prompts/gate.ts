import { limits } from '../../core/limits.ts';
import { dataRule } from './data.ts';

export function questionsPrompt(boundary: string): string {
  return `You write an examination of what an AI agent should know. For each numbered source write one question that a later session could have, which the source answers, and the expected answer, taken from the source in as few words as possible. The question does not give the answer away and can be understood without the source. Leave out a source that answers no such question. You answer by calling submit_questions once.

${dataRule(boundary)}`;
}

export function answersPrompt(boundary: string): string {
  return `You answer questions from the memories that stand with each of them, and from nothing else. Answer in at most a sentence of ${limits.gate_answer_chars_max} characters; where the memories do not say it, answer "unknown". You answer by calling submit_answers once.

${dataRule(boundary)}`;
}

export function markingPrompt(boundary: string): string {
  return `You mark answers. For each question you see the expected answer and answers A and B. An answer is right when it says what the expected answer says, in whatever words, and nothing that contradicts it. "unknown" is wrong. You answer by calling submit_marks once.

${dataRule(boundary)}`;
}

const text = { type: 'string' };
const n = { type: 'integer' };

function listTool(name: string, list: string, properties: Readonly<Record<string, object>>) {
  return {
    name,
    description: 'Hand in the answer.',
    input_schema: {
      type: 'object' as const,
      properties: {
        [list]: {
          type: 'array',
          items: {
            type: 'object',
            properties,
            required: Object.keys(properties),
            additionalProperties: false,
          },
        },
      },
      required: [list],
      additionalProperties: false,
    },
  };
}

export const questions_tool = listTool('submit_questions', 'questions', {
  n,
  question: text,
  expected: text,
});
export const answers_tool = listTool('submit_answers', 'answers', { n, answer: text });
export const marks_tool = listTool('submit_marks', 'marks', {
  n,
  a_right: { type: 'boolean' },
  b_right: { type: 'boolean' },
});
