import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf } from '../policies';

test('quotas are not read where the context has one', () => {
  expect(actionsOf(exampleTemplate({ jobQuota: 10 }), 'PreprocessRole')).not.toContain(
    'servicequotas:ListServiceQuotas',
  );
});
