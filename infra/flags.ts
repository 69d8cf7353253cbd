import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

/**
 * CDK's feature flags, as a new project of this version has them. In code rather than in cdk.json, so
 * that the CLI, the local host and the tests make the same template.
 */
export const flags: Readonly<Record<string, unknown>> = {
  ...CURRENTLY_RECOMMENDED_FLAGS,
  // It would give the sandbox a log group, which its role may not write to.
  '@aws-cdk/aws-lambda:useCdkManagedLogGroup': false,
};
