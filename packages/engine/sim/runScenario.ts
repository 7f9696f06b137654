import { SimWorld, type SimWorldOptions } from './simWorld.ts'

/** What happens in a scenario. It may be asynchronous: see `SimWorld.settle`. */
export type Scenario = (world: SimWorld) => void | Promise<void>

/**
 * Plays a scenario in a new world, then ends its sessions and asserts that nothing is left behind. A failure names the
 * seed, with which it can be played again, and the last events.
 */
export async function runScenario(play: Scenario, options: SimWorldOptions = {}): Promise<void> {
  const world = new SimWorld(options)
  try {
    await play(world)
    await world.shutDown()
    world.assertNothingLeft()
  } catch (error) {
    throw describeFailure(error, world)
  }
}

function describeFailure(error: unknown, world: SimWorld): unknown {
  if (!(error instanceof Error)) return error
  error.message +=
    `\n\nseed ${world.seed}, ${world.time.elapsed} ms into the simulation, after ${world.time.eventCount} events; ` +
    `the last of them:\n  ${world.log.tail().slice(-20).join('\n  ')}`
  return error
}
