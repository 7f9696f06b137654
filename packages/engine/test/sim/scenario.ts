import { expect, test } from 'vitest'
import { runScenario, type Scenario } from '../../sim/runScenario.ts'
import type { SimWorldOptions } from '../../sim/simWorld.ts'
import { faultsOf } from './client.ts'

export interface ScenarioOptions extends Omit<SimWorldOptions, 'seed'> {
  /** How many worlds, with the seeds 1, 2, ..., it is played in. Default 3. */
  readonly seeds?: number
}

/**
 * A test that plays a scenario in several worlds and asserts that nothing is left afterwards, and nothing threw.
 * `SIM_SEED=7 npx vitest run ...` plays it with that seed only, `SIM_SEEDS=100` in that many worlds.
 */
export function scenario(name: string, play: Scenario, options: ScenarioOptions = {}): void {
  const { seeds = 3, ...world } = options
  const count = Number(process.env.SIM_SEEDS ?? seeds)
  const only = process.env.SIM_SEED
  const chosen = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)]
  const playAndEnd: Scenario = async (scene) => {
    await play(scene)
    await scene.shutDown()
    expect(faultsOf(scene)).toEqual([])
  }
  for (const seed of chosen) test(`${name} (seed ${seed})`, () => runScenario(playAndEnd, { ...world, seed }))
}
