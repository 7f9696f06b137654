/**
 * Speed of RC4 as encrypted connections use it, and what a handshake costs.
 * Run: npx tsx bench/micro/rc4.ts
 */
import { KeyExchange } from '../../packages/engine/src/crypto/keyExchange.ts'
import { Rc4 } from '../../packages/engine/src/crypto/rc4.ts'
import { makeRc4Workbench, type Rc4Workbench, rc4Workbench } from '../../packages/engine/src/crypto/rc4Workbench.ts'

const RUNS = 5
const TOTAL_BYTES = 256 * 1024 * 1024

/** The best of several runs. */
function megabytesPerSecond(size: number, work: () => void): string {
  let best = 0
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now()
    for (let done = 0; done < TOTAL_BYTES; done += size) work()
    best = Math.max(best, TOTAL_BYTES / 1e3 / (performance.now() - begin))
  }
  return `${Math.round(best)} MB/s`
}

function measure(name: string, bench: Rc4Workbench): void {
  const key = new Uint8Array(20).fill(5)
  for (const size of [1024, 16 * 1024, 64 * 1024, 256 * 1024]) {
    const [content, out] = [new Uint8Array(new SharedArrayBuffer(size)), new Uint8Array(size)]
    const [receiving, sending] = [new Rc4(key, 1024, bench), new Rc4(key, 1024, bench)]
    const received = megabytesPerSecond(size, () => void receiving.turnedView(content))
    const sent = size > 64 * 1024 ? '' : megabytesPerSecond(size, () => sending.turnInto(content, out, 0))
    console.log(`${name.padEnd(12)} ${String(size / 1024).padStart(4)} KiB  receive ${received}  send ${sent}`)
  }
}

measure('WebAssembly', rc4Workbench())
measure('JavaScript', makeRc4Workbench())

const privateKey = new Uint8Array(20).fill(9)
const first = performance.now()
const { publicKey } = new KeyExchange(privateKey)
console.log(`first key exchange: ${(performance.now() - first).toFixed(1)} ms`)
const begin = performance.now()
for (let i = 0; i < 1000; i++) new KeyExchange(privateKey).secret(publicKey)
console.log(`a key exchange: ${((performance.now() - begin) / 1000).toFixed(3)} ms`)
