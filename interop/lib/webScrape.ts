import { WebSocket } from 'ws'
import type { ScrapeCounts } from './scrape.ts'

/** Asks a WebSocket tracker on 127.0.0.1 for the counts of one torrent, whose info-hash is hexadecimal. */
export function webScrape(port: number, infoHash: string): Promise<ScrapeCounts> {
  const hash = Buffer.from(infoHash, 'hex').toString('latin1')
  const socket = new WebSocket(`ws://127.0.0.1:${port}/announce`)
  return new Promise<ScrapeCounts>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send(JSON.stringify({ action: 'scrape', info_hash: hash })))
    socket.on('message', (data) => {
      const { complete, incomplete } = JSON.parse(String(data)).files[hash]
      resolve({ seeds: complete, downloaders: incomplete })
    })
  }).finally(() => socket.terminate())
}
