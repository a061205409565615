/** What each role may do. One table for the server, the socket, the command line and what the screens offer. */

export const ROLES = ['owner', 'editor', 'commenter', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const VIEWER = ['owner', 'editor', 'commenter', 'viewer'] as const;
const COMMENTER = ['owner', 'editor', 'commenter'] as const;
const EDITOR = ['owner', 'editor'] as const;
const OWNER = ['owner'] as const;

/** Actions on a board. A role in the board's workspace counts on every board of it. */
export const BOARD_ACTIONS = {
  'board.read': VIEWER,
  /** execute analyses without keeping them: what a view shows */
  'board.analyze': VIEWER,
  'board.history': VIEWER,
  'board.leave': VIEWER,
  /** threads, claims, stances */
  'board.comment': COMMENTER,
  /** keep runs, attach them as evidence, run evidence again */
  'board.evidence': COMMENTER,
  /** label in annotation sessions */
  'board.annotate': COMMENTER,
  /** set up annotation sessions, pause, reassign, reveal and close them */
  'board.facilitate': EDITOR,
  /** write the board document */
  'board.edit': EDITOR,
  'board.keep-version': EDITOR,
  'board.publish': EDITOR,
  /** delete what others wrote */
  'board.moderate': OWNER,
  'board.invite': OWNER,
  'board.members': OWNER,
  'board.transfer': OWNER,
  'board.delete': OWNER,
} as const satisfies Record<string, readonly Role[]>;

/** Actions on a workspace as a whole. Who is on single boards alone has no role here. */
export const WORKSPACE_ACTIONS = {
  'workspace.read': VIEWER,
  'workspace.leave': VIEWER,
  'workspace.create-board': EDITOR,
  'workspace.invite': OWNER,
  'workspace.members': OWNER,
  'workspace.rename': OWNER,
  'workspace.transfer': OWNER,
  'workspace.audit': OWNER,
  'workspace.delete': OWNER,
} as const satisfies Record<string, readonly Role[]>;

/** Who somebody is to the installation: whose it is, an owner of a workspace which that person owns too, or anybody else who is signed in. */
export const STANDINGS = ['owner', 'co-owner', 'member'] as const;
export type Standing = (typeof STANDINGS)[number];

/** Actions on what all workspaces of an installation share: its models, and with them its network, disk and memory. */
export const INSTALLATION_ACTIONS = {
  'models.read': STANDINGS,
  /** from the hub or out of a browser; see imports, stop them, let them go on, discard them */
  'models.import': ['owner', 'co-owner'],
  'models.delete': ['owner', 'co-owner'],
  /** reads the server's disk */
  'models.import-folder': ['owner'],
} as const satisfies Record<string, readonly Standing[]>;
export type InstallationAction = keyof typeof INSTALLATION_ACTIONS;

export type BoardAction = keyof typeof BOARD_ACTIONS;
export type WorkspaceAction = keyof typeof WORKSPACE_ACTIONS;
export type Action = BoardAction | WorkspaceAction;

const TABLE: Record<Action, readonly Role[]> = { ...BOARD_ACTIONS, ...WORKSPACE_ACTIONS };

export function may(role: Role | null, action: Action): boolean {
  return role !== null && TABLE[action].includes(role);
}

/** The roles that may, from most to least. */
export function rolesFor(action: Action): readonly Role[] {
  return TABLE[action];
}

export function mayOn(standing: Standing, action: InstallationAction): boolean {
  return standingsFor(action).includes(standing);
}

export function standingsFor(action: InstallationAction): readonly Standing[] {
  return INSTALLATION_ACTIONS[action];
}

/** The one that may do more; null is none. */
export function higher(a: Role | null, b: Role | null): Role | null {
  if (a === null || b === null) return a ?? b;
  return ROLES.indexOf(a) <= ROLES.indexOf(b) ? a : b;
}
