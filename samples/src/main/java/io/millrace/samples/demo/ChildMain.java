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
package io.millrace.samples.demo;

import io.aeron.exceptions.AeronException;
import io.millrace.samples.failure.CommandFailure;
import sun.misc.Signal;
import sun.misc.SignalHandler;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What the main methods of both children share: ending. A child ends by itself, by a signal or because its parent died,
 * and in each case closes its driver, so that the driver's files go with it.
 */
public final class ChildMain
{
    private static final long CLOSE_DEADLINE_MS = 5_000;

    /**
     * The work of a child.
     */
    public interface Role extends AutoCloseable
    {
        /**
         * Do it.
         *
         * @throws Exception if the child cannot do what it was ordered to.
         */
        void run() throws Exception;

        /**
         * Release everything. May be called by another thread than {@link #run()}, while that one works.
         */
        void close();
    }

    /**
     * Makes a role of orders.
     */
    public interface Factory
    {
        /**
         * Make the role.
         *
         * @param link to the parent.
         * @return the role, started.
         */
        Role create(ParentLink link);
    }

    private final ParentLink link;
    private final Consumer<ParentLink> orphanTidier;
    private Role role;
    private boolean isOpened;
    private volatile boolean closed;

    private ChildMain(final ParentLink link, final Consumer<ParentLink> orphanTidier)
    {
        this.link = link;
        this.orphanTidier = orphanTidier;
    }

    /**
     * Run a role to its end.
     *
     * @param factory      of the role.
     * @param orphanTidier that removes what the parent would have removed, had it not died.
     */
    public static void run(final Factory factory, final Consumer<ParentLink> orphanTidier)
    {
        // A terminal sends these to parent and children alike. The parent ends its children.
        for (final String name : new String[]{ "HUP", "INT" })
        {
            Signal.handle(new Signal(name), SignalHandler.SIG_IGN);
        }
        final ParentLink link = new ParentLink();
        final ChildMain main = new ChildMain(link, orphanTidier);
        Runtime.getRuntime().addShutdownHook(new Thread(main::close, "close"));
        int status = 1;
        try
        {
            final Role role = factory.create(link);
            main.opened(role);
            role.run();
            status = 0;
        }
        catch (final Throwable ex)
        {
            // What fails because a signal closed it says nothing: the parent is to see how this process ended.
            if (!main.closed)
            {
                ex.printStackTrace();
                link.send(ParentLink.event("failed").put("message", message(ex)));
            }
        }
        main.opened(null);
        main.close();
        // Without this a thread that a library left behind would keep the child alive.
        System.exit(status);
    }

    private static String message(final Throwable ex)
    {
        if (ex instanceof InternalError)
        {
            // How a mapped file that finds no space comes to Java.
            return "no space for its files (" + ex.getMessage() + ")";
        }
        return ex instanceof final AeronException aeron ? CommandFailure.withoutCategory(aeron) :
            null != ex.getMessage() ? ex.getMessage() : ex.toString();
    }

    // With null: there is no role, or no other than before.
    private synchronized void opened(final Role opened)
    {
        role = null != opened ? opened : role;
        isOpened = true;
        notifyAll();
    }

    // By the main thread at the end, or by the shutdown hook at a signal and when the parent dies.
    private synchronized void close()
    {
        if (closed)
        {
            return;
        }
        closed = true;
        Thread.ofPlatform().name("close-deadline").daemon().start(this::haltAfterDeadline);
        try
        {
            // A driver that is still starting would go on making files. The deadline above ends this wait too.
            while (!isOpened)
            {
                wait();
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        if (null != role)
        {
            role.close();
        }
        tidyIfOrphaned();
    }

    private void tidyIfOrphaned()
    {
        if (link.isOrphaned())
        {
            ProviderFiles.remove(ProcessHandle.current().pid());
            orphanTidier.accept(link);
        }
    }

    private void haltAfterDeadline()
    {
        try
        {
            TimeUnit.MILLISECONDS.sleep(CLOSE_DEADLINE_MS);
            System.err.println("closing took longer than " + CLOSE_DEADLINE_MS + " ms");
            tidyIfOrphaned();
            Runtime.getRuntime().halt(1);
        }
        catch (final InterruptedException ignore)
        {
            // Nobody interrupts this thread: it ends with the process.
        }
    }
}
