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
package io.millrace.efa.link;

import io.aeron.AeronVersion;
import io.aeron.driver.MediaDriverVersion;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ConstantValueAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static java.lang.classfile.ClassFile.ACC_FINAL;
import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static java.lang.classfile.ClassFile.ACC_STATIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class AeronReleaseTest
{
    @TempDir
    private Path directory;

    @Test
    void takesTheLineThatItWasCompiledWith()
    {
        assertThatCode(AeronRelease::check).doesNotThrowAnyException();
        assertThatCode(() -> AeronRelease.check("aeron-driver", "1.51.0", "1.51.7")).doesNotThrowAnyException();
        assertThatThrownBy(() -> AeronRelease.check("aeron-driver", "1.51.0", "1.52.0"))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContainingAll("aeron-driver 1.52.0", "must be 1.51.x", "io.aeron:aeron-driver:1.51.0");
        assertThatThrownBy(() -> AeronRelease.check("aeron-client", "1.51.0", "1.5.0"))
            .isInstanceOf(ConfigurationException.class);
    }

    @Test
    void aDriverDoesNotStartOnAnotherAeron() throws Exception
    {
        final String name = MediaDriverVersion.class.getName();
        final byte[] bytes = ClassFile.of().build(ClassDesc.of(name), (type) -> type.withField("VERSION",
            ConstantDescs.CD_String, (field) -> field.withFlags(ACC_PUBLIC | ACC_STATIC | ACC_FINAL)
            .with(ConstantValueAttribute.of("1.99.0"))));
        final Path file = directory.resolve(name.replace('.', '/') + ".class");
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);

        try (URLClassLoader loader = new URLClassLoader(urls(), ClassLoader.getPlatformClassLoader()))
        {
            final Object context = loader.loadClass(EfaContext.class.getName()).getConstructor().newInstance();
            final var constructor = loader.loadClass(FabricDriver.class.getName()).getConstructor(context.getClass());
            assertThatThrownBy(() -> CloseHelper.close((AutoCloseable)constructor.newInstance(context)))
                .isInstanceOf(InvocationTargetException.class).cause()
                .hasMessageContainingAll("aeron-driver 1.99.0", "must be " + AeronVersion.VERSION.replaceAll(
                "\\.[^.]*$", ".x"));
        }
        assertThat(MediaDriverVersion.class.getField("VERSION").get(null)).isNotEqualTo("1.99.0");
    }

    private URL[] urls() throws IOException
    {
        final List<URL> urls = new ArrayList<>(List.of(directory.toUri().toURL()));
        for (final String entry : System.getProperty("java.class.path").split(":"))
        {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }
}
