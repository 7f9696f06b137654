import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where lt keeps what is of use to later runs and can be done without: `LT_STATE_DIR`, or what the system has for that.
 */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.LT_STATE_DIR) return env.LT_STATE_DIR
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'libtorrent-ts')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'libtorrent-ts')
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'libtorrent-ts')
}
