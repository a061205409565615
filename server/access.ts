/** Who somebody is, and what they may do. */
export {
  authorOf,
  findOwner,
  idsOf,
  meOf,
  personOfHeaders,
  requirePerson,
  sessionOfHeaders,
  type Person,
  type Session,
} from './access/person.ts';
export { authorise, authoriseUndeletion, authoriseWorkspace, roleOnBoard, type Member } from './access/authorise.ts';
export { authoriseInstallation, standingOf } from './access/installation.ts';
export { ensureOwner, makeOwnerLink, ownerHasPassword, redeemOwnerLink, setOwnerPassword } from './access/owner.ts';
export { rename } from './access/rename.ts';
