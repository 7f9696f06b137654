import { IpFilter, loadIpFilter } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import type { Output } from '../output/output.ts'
import type { NamedPeer } from './peerKeeper.ts'

/**
 * The lists of addresses that --ip-filter names, as one filter; null when there are none. Says what was found in each.
 * @throws CliError for a list that cannot be read
 */
export async function readIpFilters(paths: readonly string[], output: Output): Promise<IpFilter | null> {
  if (paths.length === 0) return null
  const filter = new IpFilter()
  for (const path of paths) await readOne(path, filter, output)
  return filter
}

async function readOne(path: string, filter: IpFilter, output: Output): Promise<void> {
  const list = await loadIpFilter(path, filter).catch((cause: unknown) => {
    throw new CliError(`--ip-filter ${path} cannot be used: ${reasonOf(cause)}.`, 1, { cause })
  })
  const { numRanges, numAllowed, numBadLines, firstBadLine } = list
  const allowed = numAllowed === 0 ? '' : `, ${counted(numAllowed)} allowed by their level`
  output.report(
    { type: 'ipFilter', file: path, ranges: numRanges, allowed: numAllowed, badLines: numBadLines },
    `IP filter ${path}: ${counted(numRanges)} ${numRanges === 1 ? 'range' : 'ranges'} blocked${allowed}`,
  )
  if (firstBadLine === null) return
  const lines = numBadLines === 1 ? '1 line is' : `${counted(numBadLines)} lines are`
  const { line, text } = firstBadLine
  output.warn(`--ip-filter ${path}: ${lines} not understood and left out; line ${line}: ${text}`, { file: path, line })
}

/** A peer that was asked for, and never comes, is not left to be wondered at. */
export function warnOfBlockedPeers(peers: readonly NamedPeer[], filter: IpFilter, output: Output): void {
  for (const { address } of peers.flatMap(({ endpoints }) => endpoints)) {
    if (filter.isBlocked(address)) output.warn(`--ip-filter blocks the --peer at ${address}.`, { peer: address })
  }
}

function counted(count: number): string {
  return count.toLocaleString('en')
}
