import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { numberField } from '../../interop/lib/fields.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import { type Bench, type BenchScene, MEGABYTE, megabytesPerSecond, type Sample } from '../lib/bench.ts'
import { buildProgram } from '../lib/build.ts'
import { cpuSeconds, memoryUse } from '../lib/processUsage.ts'

const TIMEOUT_MS = 120_000

const source = (name: string) => new URL(`../raw/${name}.ts`, import.meta.url)

/** What bare Node can do: the ceiling for any engine with this shape. */
export function rawBench(scene: BenchScene): Bench {
  return {
    name: 'raw',
    title: 'raw pipeline: receive, SHA-1 and write in bare Node (the receiver is measured)',
    variants: [{ name: 'node', run: () => run(scene) }],
    targets: [],
  }
}

async function run(scene: BenchScene): Promise<Sample> {
  const senderProgram = buildProgram(source('sender'))
  const receiverProgram = buildProgram(source('receiver'), source('hashWriteWorker'), source('protocol'))
  const path = join(scene.root, 'raw')
  const log = join(scene.root, 'raw.log')
  const size = String(scene.size)
  const sender = await LineDaemon.start('raw sender', [process.execPath, senderProgram, size], { log })
  const ready = await sender.event('ready', TIMEOUT_MS)
  const port = numberField(ready.fields, 'port')
  const receiverCommand = [process.execPath, receiverProgram, String(port), size, path]
  const receiver = await LineDaemon.start('raw receiver', receiverCommand, { log })
  try {
    const receiving = await receiver.event('ready', TIMEOUT_MS)
    const cpuBefore = cpuSeconds(receiver.process.pid)
    const finished = await receiver.event('finished', TIMEOUT_MS)
    return {
      'MB/s': megabytesPerSecond(scene.size, finished.at - receiving.at),
      'CPU s': cpuSeconds(receiver.process.pid) - cpuBefore,
      'other side CPU s': cpuSeconds(sender.process.pid),
      'peak RSS MB': memoryUse(receiver.process.pid).peak / MEGABYTE,
    }
  } finally {
    await Promise.all([sender.quit(), receiver.quit()])
    rmSync(path, { force: true })
  }
}
