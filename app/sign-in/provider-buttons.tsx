'use client';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useTask } from '@/app/ui/use-task.ts';

interface ProviderButtonsProps {
  providers: readonly string[];
  /** a path of this site */
  to: string;
  label: (provider: string) => string;
  /** `link`: for the person who is signed in */
  mode?: 'sign-in' | 'link';
}

const ENDPOINTS = { 'sign-in': '/api/auth/sign-in/social', link: '/api/auth/link-social' };

export function ProviderButtons({ providers, to, label, mode = 'sign-in' }: ProviderButtonsProps) {
  const task = useTask();
  if (providers.length === 0) return null;

  const go = (provider: string) =>
    task.run(async () => {
      const body = { provider, callbackURL: to, errorCallbackURL: mode === 'link' ? '/account' : '/sign-in' };
      const { url } = await request<{ url: string }>(ENDPOINTS[mode], { method: 'POST', body });
      location.assign(url);
    });

  return (
    <div className="grid gap-1.5">
      <p className="text-xs text-soft">{strings.signIn.or}</p>
      <div className="flex flex-wrap gap-2">
        {providers.map((provider) => (
          <Button key={provider} disabled={task.busy} onClick={() => go(provider)}>
            {label(provider)}
          </Button>
        ))}
      </div>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </div>
  );
}
