import { readFile, writeFile } from 'node:fs/promises'
import { type Ed25519Keypair, ed25519CreateKeypair, ed25519CreateSeed } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { shellWord } from '../output/format.ts'

/** A key file: the seed of a key pair, 64 hexadecimal digits on a line. */
export async function readKeyFile(path: string): Promise<Ed25519Keypair> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const advice = code === 'ENOENT' ? `. lt dht key ${shellWord(path)} makes one.` : ''
    throw new CliError(`${path}: ${reasonOf(cause)}${advice}`, 1, { cause })
  }
  const seed = text.trim()
  if (!/^[0-9a-f]{64}$/i.test(seed)) {
    throw new CliError(`${path}: this is no key file. It has 64 hexadecimal digits, as lt dht key writes them.`)
  }
  return ed25519CreateKeypair(Buffer.from(seed, 'hex'))
}

/** Makes one that only its owner can read; one that is there is never replaced. */
export async function createKeyFile(path: string): Promise<Ed25519Keypair> {
  const seed = ed25519CreateSeed()
  try {
    await writeFile(path, `${Buffer.from(seed).toString('hex')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    const reason = exists ? 'exists already, and keys are never replaced' : `could not be written: ${reasonOf(cause)}`
    throw new CliError(`${path} ${reason}. Give another path.`, 1, { cause })
  }
  return ed25519CreateKeypair(seed)
}
