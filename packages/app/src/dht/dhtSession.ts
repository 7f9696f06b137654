import { Session } from 'libtorrent-ts'
import { CliError } from '../cliError.ts'
import { type HostAndPort, hostAndPortText } from '../options/hostAndPort.ts'
import { settingChanges } from '../options/settingChanges.ts'
import type { Output } from '../output/output.ts'
import { stateDirectory } from '../stateDirectory.ts'
import { DhtStateFile } from './dhtStateFile.ts'

/** Options of all `lt dht` commands that ask the network, as commander gives them. */
export interface DhtOptions {
  readonly dhtRouter?: readonly HostAndPort[]
  /** Seconds for everything. */
  readonly timeout?: number
  /** Each `name=value`. */
  readonly set?: readonly string[]
}

const DEFAULT_TIMEOUT_S = 60
const LOOK_MS = 100
/** What is waited for the second node, and for more, when one has answered. */
const SETTLE_MS = 500

/** Joins the DHT, does `work` and leaves. @throws CliError when nobody answers, or `work` takes too long */
export async function withDht<T>(
  options: DhtOptions,
  output: Output,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const seconds = options.timeout ?? DEFAULT_TIMEOUT_S
  const routers = options.dhtRouter ?? []
  const file = routers.length > 0 ? null : new DhtStateFile(stateDirectory(), output)
  const state = (await file?.load()) ?? undefined
  const session = new Session({
    settings: {
      listenInterfaces: '0.0.0.0:0,[::]:0',
      enableDht: true,
      // Gone in a moment: nobody should count on us (BEP 43).
      dhtReadOnly: true,
      enableLsd: false,
      enableUpnp: false,
      enableNatpmp: false,
      ...(routers.length > 0 && { dhtBootstrapNodes: '' }),
      ...settingChanges(options.set ?? []),
    },
  })
  try {
    if (output.debug) session.on('alert', (alert) => output.trace(alert.message()))
    const until = performance.now() + seconds * 1000
    if (state !== undefined) session.startDht(state)
    await session.ready
    // As nodes, not routers: those are never asked to keep anything, and may be all there is.
    for (const router of routers) session.addDhtNode(router)
    await joined(session, until, () => nobodyAnswered(routers, seconds))
    return await before(
      until,
      work(session),
      () => new CliError(`No result within ${seconds} s. Try a longer --timeout.`),
    )
  } finally {
    await file?.finish(session)
    await session.abort()
  }
}

/** Some node has answered, and a moment has passed for others, unless there is no need: our place is known. */
async function joined(session: Session, until: number, failure: () => CliError): Promise<void> {
  let isPlaced = false
  session.on('dhtBootstrap', () => {
    isPlaced = true
  })
  let firstAt = 0
  for (;;) {
    const now = performance.now()
    if (now > until) throw failure()
    if (session.status().dhtNodes > 0) {
      if (firstAt === 0) firstAt = now
      if (isPlaced || now - firstAt >= SETTLE_MS) return
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

async function before<T>(until: number, work: Promise<T>, failure: () => CliError): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure()), Math.max(0, until - performance.now()))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function nobodyAnswered(routers: readonly HostAndPort[], seconds: number): CliError {
  if (routers.length > 0) {
    return new CliError(`${routers.map(hostAndPortText).join(', ')}: no answer within ${seconds} s. Is it a DHT node?`)
  }
  return new CliError(
    `No node of the DHT answered within ${seconds} s. Is UDP let through? --dht-router HOST:PORT names another node.`,
  )
}
