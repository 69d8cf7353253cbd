import { say, stall } from '../model/replies.ts';
import type { ModelRequest } from '../model/model.ts';
import { message, type Rig } from '../rig.ts';
import { until } from '../upgrades/day.ts';

/** What the step leaves to the large one. */
export async function dieInAStep(rig: Rig): Promise<void> {
  const asks = ({ body }: ModelRequest): boolean =>
    JSON.stringify(body.messages[0]).includes('Die once.');
  rig.model.on(asks, stall(), say('Gone on.'));
  const id = await rig.session();
  await rig.send(id, message('Die once.'));
  await until(rig, async () => rig.model.requests.find(asks));
  await rig.host.kill('step');
  await rig.rested(id);
}
