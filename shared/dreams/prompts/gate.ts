import * as z from 'zod';
import { limits } from '../../core/limits.ts';
import { dataRule } from './data.ts';

export function questionsPrompt(boundary: string): string {
  return `You write an examination of what an AI agent should know. For each numbered source write one question that a later session could have, which the source answers, and the expected answer, taken from the source in as few words as possible. The question does not give the answer away and can be understood without the source. Leave out a source that answers no such question.

${dataRule(boundary)}`;
}

export function answersPrompt(boundary: string): string {
  return `You answer questions from the memories that stand with each of them, and from nothing else. Answer in at most a sentence of ${limits.gate_answer_chars_max} characters; where the memories do not say it, answer "unknown".

${dataRule(boundary)}`;
}

export function markingPrompt(boundary: string): string {
  return `You mark answers. For each question you see the expected answer and answers A and B. An answer is right when it says what the expected answer says, in whatever words, and nothing that contradicts it. "unknown" is wrong.

${dataRule(boundary)}`;
}

const n = z.int();

export const Questions = z
  .strictObject({
    questions: z.array(
      z.strictObject({ n, question: z.string().min(1), expected: z.string().min(1) }),
    ),
  })
  .meta({ title: 'questions' });

export const Answers = z
  .strictObject({ answers: z.array(z.strictObject({ n, answer: z.string() })) })
  .meta({ title: 'answers' });

export const Marks = z
  .strictObject({
    marks: z.array(z.strictObject({ n, a_right: z.boolean(), b_right: z.boolean() })),
  })
  .meta({ title: 'marks' });
