import type { HostAndPort } from '../options/hostAndPort.ts'
import { type PeerSourceOptions, peerSourceSettings } from '../options/peerSources.ts'
import { type ProxyOptions, proxyOptionSettings } from '../options/proxyOptions.ts'
import { settingChanges } from '../options/settingChanges.ts'
import type { Output } from '../output/output.ts'
import { runTransfer } from '../transfer/runTransfer.ts'

/** Options of `lt seed` as commander gives them. */
export interface SeedOptions extends PeerSourceOptions, ProxyOptions {
  readonly output: string
  readonly port?: number
  readonly peer?: readonly HostAndPort[]
  readonly tracker?: readonly string[]
  /** Each `name=value`. */
  readonly set?: readonly string[]
  readonly seedRatio?: number
  readonly seedTime?: number
}

/** `lt seed`: checks what is there, and gives it to others. */
export async function seed(source: string, options: SeedOptions, output: Output): Promise<number> {
  const transfer = {
    role: 'seed',
    savePath: options.output,
    port: options.port ?? null,
    peers: options.peer ?? [],
    settings: { ...peerSourceSettings(options), ...proxyOptionSettings(options), ...settingChanges(options.set ?? []) },
    trackers: options.tracker ?? [],
    select: [],
    sequential: false,
    noSeed: false,
    seedRatio: options.seedRatio ?? null,
    seedTime: options.seedTime ?? null,
  } as const
  return runTransfer(source, transfer, output)
}
