import { isBuilt, isInstalled } from './stamps.mjs';

/**
 * Makes a source checkout runnable: Node new enough, dependencies installed, `dist/` built. With nothing to do it
 * only compares two stamps (see stamps.mjs); what installs and builds is loaded on need.
 */

const NODE_MIN = [20, 19];

/** Ends the process with one clear line where Node is too old to get any further. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [majorMin, minorMin] = NODE_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  process.stderr.write(
    `tocsin needs Node ${NODE_MIN.join('.')} or newer; this is Node ${process.versions.node}.\n`,
  );
  process.exit(1);
}

/**
 * Installs and builds what is missing or stale. Rejects with a message for people when either fails.
 *
 * @param {string} root folder of the checkout
 * @param {{rebuild?: boolean}} [options] rebuild: build even if the last build still holds
 */
export async function prepare(root, { rebuild = false } = {}) {
  if (isInstalled(root) && isBuilt(root) && !rebuild) return;

  const [{ withLock }, { install }, { compile }] = await Promise.all([
    import('./lock.mjs'),
    import('./install.mjs'),
    import('./compile.mjs'),
  ]);
  await withLock(root, async (adopt) => {
    // Somebody else may have done the work while this process waited for the lock.
    if (!isInstalled(root)) await install(root, adopt);
    if (rebuild || !isBuilt(root)) await compile(root, adopt);
  });
}
