import type { Engine } from './engine.ts'

/** What one run measured: metric name to value. */
export type Sample = Readonly<Record<string, number>>

export interface Variant {
  readonly name: string
  run(): Promise<Sample>
}

export interface Bench {
  readonly name: string
  readonly title: string
  /** Run in turn, again and again: whatever disturbs the machine disturbs them alike. */
  readonly variants: readonly Variant[]
  readonly targets: readonly Target[]
}

/** `value` and `reference` name a median as 'bench/variant/metric'. */
export interface Target {
  readonly text: string
  readonly value: string
  /** What the value is divided by; the value itself is judged when absent. */
  readonly reference?: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** What every bench gets. */
export interface BenchScene {
  /** Directory on tmpfs, the run's own. */
  readonly root: string
  /** Content size of the transfer benches, bytes. */
  readonly size: number
  /** Torrents of the idle bench. */
  readonly idleTorrents: number
  /** With its settings as they come, like ours. */
  readonly libtorrent: Engine
  /** With the settings that were found quickest for this bench. */
  readonly tunedLibtorrent: Engine
  /** Null while our product is not built: its variants are then left out. */
  readonly ours: Engine | null
  /** The command `lt`, or null as above. */
  readonly ltCommand: readonly string[] | null
}

export const MEGABYTE = 1_000_000

export function megabytesPerSecond(bytes: number, milliseconds: number): number {
  return bytes / MEGABYTE / (milliseconds / 1000)
}
