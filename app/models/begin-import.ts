import type { ModelImport, NewImport } from '@/lib/model-wire.ts';
import { request } from '@/app/ui/request.ts';

export function beginImport(body: NewImport): Promise<ModelImport> {
  return request<ModelImport>('/api/imports', { method: 'POST', body });
}
