import { lstat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { TorrentInfo } from 'libtorrent-ts'
import { CliError } from './cliError.ts'
import { contentFiles } from './contentFiles.ts'
import { shellWord } from './output/format.ts'

/** Whether any file of the torrent is in `directory`, whatever is in it. */
export async function hasContent(info: TorrentInfo, directory: string): Promise<boolean> {
  return (await firstFound(pathsOf(info), directory)) !== null
}

/**
 * Says that nothing of the torrent is in `directory`, and where it should be given from: looking in the wrong place is
 * the commonest mistake. `source` is what the torrent was read from; content often lies beside it.
 */
export async function nothingThere(info: TorrentInfo, directory: string, source: string): Promise<CliError> {
  const [expected] = pathsOf(info)
  return new CliError(
    `Nothing of the torrent is in ${directory}: no ${expected}, for one. ${await advice(info, directory, source)}`,
  )
}

async function advice(info: TorrentInfo, directory: string, source: string): Promise<string> {
  for (const place of [dirname(directory), dirname(resolve(source))]) {
    if (place !== directory && (await hasContent(info, place))) {
      return `It is in ${place}: say --output ${shellWord(place)}`
    }
  }
  const inside = pathsOf(info).map((path) => path.slice(info.name.length + 1))
  if (info.isMultiFile && (await firstFound(inside, directory)) !== null) {
    return `Its files have to be in a directory called ${info.name}, and --output names the one that is in.`
  }
  return 'Say with --output in which directory its files are.'
}

function pathsOf(info: TorrentInfo): string[] {
  return contentFiles(info).map((file) => file.path)
}

async function firstFound(paths: readonly string[], directory: string): Promise<string | null> {
  for (const path of paths) {
    if ((await lstat(join(directory, path)).catch(() => null)) !== null) return path
  }
  return null
}
