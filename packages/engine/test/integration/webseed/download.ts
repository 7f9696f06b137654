import { onTestFinished } from 'vitest'
import type { TestTorrent } from '../../../sim/testTorrent.ts'
import { NodeHttpStreams } from '../../../src/node/nodeHttpStreams.ts'
import { NodeClock, NodeTimers } from '../../../src/node/nodeTime.ts'
import { Leecher, type LeecherOptions } from '../../unit/webseed/leecher.ts'

/** A leecher with the real HTTP client. */
export function openLeecher(torrent: TestTorrent, url: string, options: LeecherOptions = {}): Leecher {
  const http = new NodeHttpStreams().newClient(options.settings?.urlseedPipelineSize ?? 5)
  const parts = { clock: new NodeClock(), timers: new NodeTimers(), http }
  const leecher = new Leecher(torrent, url, parts, options)
  onTestFinished(() => {
    leecher.seed.close()
    http.close()
  })
  return leecher
}

/** Downloads until everything is there, or the seed cannot be used any more. */
export async function download(leecher: Leecher): Promise<Leecher> {
  await new Promise<void>((resolve) => {
    leecher.onDone = resolve
    leecher.onTroubled = () => leecher.seed.state.name === 'disabled' && resolve()
    leecher.seed.pump()
    if (leecher.isDone) resolve()
  })
  // What is said after the last byte is said by then.
  await new Promise((resolve) => setTimeout(resolve, 20))
  return leecher
}
