/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */
package io.millrace.bridge.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.ClientContext;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class ClientLinkTest
{
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    /**
     * Whose counters cannot be added the first time.
     */
    private static final class Context extends ClientContext<Context>
    {
        private final List<Aeron> clients = new CopyOnWriteArrayList<>();
        private final List<Throwable> errors = new ArrayList<>();
        private int renewals;

        Context(final String aeronDirectoryName)
        {
            aeronDirectoryName(aeronDirectoryName);
            connect();
        }

        @Override
        public Aeron connectClient()
        {
            final Aeron client = super.connectClient();
            clients.add(client);
            return client;
        }

        @Override
        protected Context self()
        {
            return this;
        }

        @Override
        public ErrorHandler errorHandler()
        {
            return errors::add;
        }

        @Override
        public NanoClock nanoClock()
        {
            return SystemNanoClock.INSTANCE;
        }

        @Override
        public boolean useAgentInvoker()
        {
            return true;
        }

        @Override
        public void onClientLost()
        {
            // There are no counters.
        }

        @Override
        public void onClientRenewed(final Aeron client)
        {
            if (1 == ++renewals)
            {
                throw new IllegalStateException("no room for counters");
            }
        }
    }

    @Test
    void closesAClientWhoseCountersCannotBeAddedAndTriesAgain()
    {
        try (MediaDriver driver = MediaDriver.launchEmbedded(new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED).dirDeleteOnShutdown(true)))
        {
            final Context ctx = new Context(driver.aeronDirectoryName());
            final ClientLink link = new ClientLink(ctx);
            link.drop();
            final long startNs = System.nanoTime();
            while (!link.isRenewed(System.nanoTime()))
            {
                assertThat(System.nanoTime() - startNs).isLessThan(LIMIT_NS);
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }

            assertThat(ctx.clients).hasSize(3);
            assertThat(ctx.errors).singleElement().satisfies(ex -> assertThat(ex).hasMessage("no room for counters"));
            assertThat(ctx.clients).filteredOn(Aeron::isClosed).containsExactly(
                ctx.clients.get(0), ctx.clients.get(1));
            assertThat(ctx.aeron()).isSameAs(ctx.clients.get(2));
            link.close();
            CloseHelper.close(ctx.aeron());
        }
    }
}
