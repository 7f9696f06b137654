import { type CertificateOptions, certificateFiles } from '../options/certificate.ts'
import type { HostAndPort } from '../options/hostAndPort.ts'
import { type NetworkOptions, networkSettings } from '../options/networkOptions.ts'
import { settingChanges } from '../options/settingChanges.ts'
import type { Output } from '../output/output.ts'
import { runTransfer } from '../transfer/runTransfer.ts'

/** Options of `lt download` as commander gives them. */
export interface DownloadOptions extends NetworkOptions, CertificateOptions {
  readonly output: string
  readonly port?: number
  readonly interface?: readonly string[]
  readonly peer?: readonly HostAndPort[]
  readonly tracker?: readonly string[]
  readonly ipFilter?: readonly string[]
  /** Each `name=value`. */
  readonly set?: readonly string[]
  readonly select?: readonly string[]
  readonly sequential?: boolean
  /** False with --no-seed. */
  readonly seed: boolean
  readonly seedRatio?: number
  readonly seedTime?: number
}

/** `lt download`: gets the content, then gives it to others. */
export async function download(source: string, options: DownloadOptions, output: Output): Promise<number> {
  const transfer = {
    role: 'download',
    savePath: options.output,
    port: options.port ?? null,
    interfaces: options.interface ?? [],
    certificate: certificateFiles(options),
    peers: options.peer ?? [],
    settings: { ...networkSettings(options), ...settingChanges(options.set ?? []) },
    isPublicDht: options.dhtRouter === undefined,
    trackers: options.tracker ?? [],
    ipFilters: options.ipFilter ?? [],
    select: options.select ?? [],
    sequential: options.sequential ?? false,
    noSeed: !options.seed,
    seedRatio: options.seedRatio ?? null,
    seedTime: options.seedTime ?? null,
  } as const
  return runTransfer(source, transfer, output)
}
