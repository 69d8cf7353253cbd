import type { Template } from '../infra/local/template/template.ts';

/** Once a minute is 43,200 times a month, of which a test that jumps over days is not. */
export function withSlowReconcile(template: Template): Template {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::Scheduler::Schedule' && Properties !== undefined) {
      Properties['ScheduleExpression'] = 'rate(5 days)';
    }
  }
  return template;
}
