import { TenancyConfig } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { NodeFunction } from './node-function.ts';
import { copySandboxModules, sandboxModules } from './sandbox-modules.ts';
import type { Settings } from './settings.ts';

/**
 * Where a session's commands run. Its role has no policy: what breaks out of the interpreter finds
 * credentials that can do nothing, not even write a log line. What goes wrong inside travels back
 * in the answer of the invocation, and the step function logs and traces it. Each session has
 * execution environments of its own.
 */
export class Sandbox extends NodeFunction {
  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id, {
      room: 'sandbox',
      description: 'Runs the commands and file tools of one session; has no permissions',
      settings,
      timeout_s: limits.sandbox_timeout_s,
      memory_mib: limits.sandbox_memory_mib,
      grants: 'none',
      tenancyConfig: TenancyConfig.PER_TENANT,
      modules: { names: sandboxModules, copy: copySandboxModules },
    });
  }
}
